from torch import nn
class TinyViT(nn.Module):
    pass
