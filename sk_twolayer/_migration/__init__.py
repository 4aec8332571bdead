"""For users of MLPClassifier: conversion in both directions, and hints for its parameter names."""
