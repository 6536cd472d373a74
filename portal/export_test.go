package portal

// AuthorizationKey returns the key of an authorization in the store.
func AuthorizationKey(secret string) string { return authorizationKey(secret) }
