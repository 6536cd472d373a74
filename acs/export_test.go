package acs

// CookiePrefix begins the name of a request cookie.
const CookiePrefix = cookiePrefix

// Allow is what decides where a person may be sent on to.
func Allow(listed []string, raw string) (string, error) {
	o, err := newOrigins("listed", listed)
	if err != nil {
		return "", err
	}
	return o.allow(raw), nil
}

// RequestKey and AssertionKey are the keys under which a store is asked.
var (
	RequestKey   = requestKey
	AssertionKey = assertionKey
)

// Hashed is the encoding below both.
var Hashed = hashed

// Unescape is how a form's names and values are decoded.
var Unescape = unescape

// Len is how many records a store holds.
func Len(m *MemoryStore) int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.live)
}
