"""Finding a document in live data and in every backup."""
