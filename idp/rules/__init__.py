"""Pure rules: plain values in, plain values out. No clock, no input or output, no other room."""
