package acs

// CookiePrefix begins the name of a request cookie.
const CookiePrefix = cookiePrefix

// Allow returns the place that a user may be sent to.
func Allow(listed []string, raw string) (string, error) {
	o, err := newOrigins("listed", listed)
	if err != nil {
		return "", err
	}
	return o.allow(raw), nil
}

// RequestKey and AssertionKey compute the keys of a store.
var (
	RequestKey   = requestKey
	AssertionKey = assertionKey
)

// Hashed is the encoding below both.
var Hashed = hashed

// Unescape decodes a form's names and values.
var Unescape = unescape

// Len returns how many records a store holds.
func Len(m *MemoryStore) int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.live)
}
