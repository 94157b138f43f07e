//go:build tools

// Package main pins kube-router, built as it comes from its module.
package main

import (
	_ "github.com/cloudnativelabs/kube-router/cmd/kube-router"
)
