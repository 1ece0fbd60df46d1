"""Our keys: load once, choose, publish, rotate. Key files and sealed rows only; who asks is not its business."""
