"""The Overview screen: draw at once, watch a training again, what is still misread, how long one takes here."""
