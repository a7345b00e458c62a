"""Jupyter servers, Hubs and gateways: their REST interface, their kernels, and what their refusals mean."""
