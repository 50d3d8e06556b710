"""Which links and files a message shares, and what it says about them."""
