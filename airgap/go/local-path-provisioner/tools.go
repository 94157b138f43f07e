//go:build tools

// Package main pins the local-path provisioner, built as it comes from its module.
package main

import (
	_ "github.com/rancher/local-path-provisioner"
)
