//go:build tools

// Package main pins k3d, built as it comes from its module.
package main

import (
	_ "github.com/k3d-io/k3d/v5"
)
