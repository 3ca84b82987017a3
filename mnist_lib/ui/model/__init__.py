"""The Model screen: the network, layer by layer."""
