//go:build tools

// Package main pins the programs built as they come from their module.
package main

import _ "k8s.io/kubernetes/cmd/kubectl"
