//go:build tools

// Package main pins redis_exporter, built as it comes from its module.
package main

import (
	_ "github.com/oliver006/redis_exporter"
)
