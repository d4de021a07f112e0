"""Training: loop, data and losses, and fine-tuning on a user's labelled images.

`finetune.FineTuning` is what the panel and the command line run; `trainer.Trainer` is the loop
below it, that the recipes use, too. May use everything but `session`, `batch`, windows and
commands; `plan` and `recipe` load no torch.
"""
