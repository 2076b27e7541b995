"""TensorFlow-era network pickles (StyleGAN1, StyleGAN2, StyleGAN2-ADA), without TensorFlow."""
