package sessions

import "github.com/rockstar-web/sessions/hosts"

// KeyFromEnv reads a key, 64 hexadecimal digits, from an environment variable:
// SESSION_ENCRYPTION_KEY if it is not named. Its errors name the variable.
func KeyFromEnv(variable string) (Secret, error) { return hosts.KeyFromEnv(variable) }

// KeyFromSecret makes a key of a secret of at least 32 bytes that the application
// has already. Passwords, phrases and examples are refused: see hosts.DeriveKey.
func KeyFromSecret(secret string) (Secret, error) { return hosts.DeriveKey(secret) }
