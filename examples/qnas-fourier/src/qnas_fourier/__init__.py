"""Encodings whose scales grow exponentially, and an objective that counts the Fourier frequencies they yield."""
