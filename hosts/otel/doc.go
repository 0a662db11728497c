// Package otel has metrics and spans of sessions for OpenTelemetry.
//
//	observer, err := otel.New(otel.Options{})
//	app, err := sessions.New(store, sessions.Config{Observer: observer})
//
// Every commit and every call of the store is a span, within the request's own where
// the request's context has one. The metrics are those that package hosts/metrics has for
// Prometheus, under OpenTelemetry's names: see docs/operations.md. Attributes are kinds of
// calls, reasons and failures from fixed lists, and no user, tenant or ID; the ID of the
// session by Options.SessionID, in spans alone.
package otel
