// Package console is a page on which users see the devices that they are logged in on,
// and log them out. New makes an http.Handler of it, to be mounted at any path. It needs
// no script and no other file; texts, template and layout can be the application's own.
package console
