// Package tests holds hosts/migrate to the libraries that it moves from, over real
// databases. It is a module of its own, so that who moves gets none of this.
package tests
