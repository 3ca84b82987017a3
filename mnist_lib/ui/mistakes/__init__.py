"""The Mistakes screen: the metrics, the confusion matrix, the gallery and one image."""
