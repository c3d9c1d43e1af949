"""Text and dates, without a database or a model: cutting, cleaning, and understanding of dates."""
