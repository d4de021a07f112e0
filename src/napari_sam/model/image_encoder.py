from torch import nn
class ImageEncoderViT(nn.Module):
    pass
