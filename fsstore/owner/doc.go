// Package owner gives files that root makes in a store to the owner of the
// store: a command that root runs must not lock out the server. Where that
// cannot be done they stay root's; where files have no owner, nothing is done. It
// also makes directories that survive a power failure. Stores in files share it;
// it is for them alone.
package owner
