// Package compare plays the same scenes with this library and with others, and
// holds the README's comparison to what came out.
package compare
