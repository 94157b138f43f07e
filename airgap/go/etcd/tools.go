//go:build tools

// Package main pins the etcd server, built as it comes from its module.
package main

import (
	_ "go.etcd.io/etcd/server/v3"
)
