"""Benchmark suites: does arbo choose better than what people would use instead?"""
