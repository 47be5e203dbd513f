"""Tools around training: profiles, benchmarks, comparisons, tables, and the exact-truth benchmark."""
