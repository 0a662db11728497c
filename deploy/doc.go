// Package deploy has the Helm chart of the gateway and its systemd unit, and the
// tests of all that a release is made of: binaries, container, chart and workflows.
//
// It is in no workspace: nothing of Kubernetes or goreleaser comes near the
// versions that the other modules are tested with. Call make packaging.
package deploy
