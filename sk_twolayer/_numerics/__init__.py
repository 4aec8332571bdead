"""Matrix products, BLAS threads, dense and sparse rows."""
