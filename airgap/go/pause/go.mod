module redis-sentinel-e2e/airgap/pause

go 1.24.0
