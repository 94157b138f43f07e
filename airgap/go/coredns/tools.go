//go:build tools

// Package main pins CoreDNS, built as it comes from its module.
package main

import (
	_ "github.com/coredns/coredns"
)
