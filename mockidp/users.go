package mockidp

import (
	"crypto/sha256"
	"crypto/subtle"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"
)

// User is a person.
type User struct {
	Login     string // the name typed at sign-in, and the NameID of every assertion; unique whatever its case
	Password  string // zero: DefaultPassword
	FirstName string // may be empty
	LastName  string // may be empty
	Email     string // zero: Login
	Groups    []string
	// Attributes are whatever else an attribute statement may send, as
	// ${user.name}. The names login, firstName, lastName and email are taken.
	Attributes map[string][]string
}

// Group is a set of users; apps are assigned to groups as well as to users.
type Group struct {
	Name        string
	Description string // shown nowhere yet; may be empty
}

// Name is what the pages call the user.
func (u User) Name() string {
	if n := strings.TrimSpace(u.FirstName + " " + u.LastName); n != "" {
		return n
	}
	return u.Login
}

func (u User) clone() User {
	u.Groups = slices.Clone(u.Groups)
	u.Attributes = maps.Clone(u.Attributes)
	for k, v := range u.Attributes {
		u.Attributes[k] = slices.Clone(v)
	}
	return u
}

// values gives what ${user.name} stands for, or nil.
func (u User) values(name string) []string {
	one := func(s string) []string {
		if s == "" {
			return nil
		}
		return []string{s}
	}
	switch name {
	case "login":
		return one(u.Login)
	case "firstName":
		return one(u.FirstName)
	case "lastName":
		return one(u.LastName)
	case "email":
		return one(u.Email)
	}
	return u.Attributes[name]
}

// hasPassword compares in constant time; a mock, but one that people copy from.
func (u User) hasPassword(p string) bool {
	want, got := sha256.Sum256([]byte(u.Password)), sha256.Sum256([]byte(p))
	return subtle.ConstantTimeCompare(want[:], got[:]) == 1
}

func (u User) in(group string) bool {
	return group == Everyone || slices.Contains(u.Groups, group)
}

// prepared copies the user, fills in what is zero, and refuses what could not
// be written into an assertion.
func (u User) prepared() (User, *Error) {
	u = u.clone()
	if u.Password == "" {
		u.Password = DefaultPassword
	}
	if u.Email == "" {
		u.Email = u.Login
	}
	if strings.TrimSpace(u.Login) != u.Login || u.Login == "" || len(u.Login) > 256 {
		return User{}, badConfig("User.Login must be 1 to 256 bytes without space around them, got %s", quote(u.Login))
	}
	texts := slices.Concat([]string{u.Login, u.FirstName, u.LastName, u.Email}, u.Groups)
	for _, name := range slices.Sorted(maps.Keys(u.Attributes)) {
		if !expressionName(name) || slices.Contains([]string{"login", "firstName", "lastName", "email"}, name) {
			return User{}, badConfig("user %s: an attribute can't be called %s", quote(u.Login), quote(name))
		}
		texts = append(texts, u.Attributes[name]...)
	}
	for _, t := range texts {
		if err := checkText("user "+quote(u.Login), t); err != nil {
			return User{}, err
		}
	}
	return u, nil
}

// loginKey folds case: two users who differ in nothing else would be one person at Okta.
func loginKey(login string) string { return strings.ToLower(strings.TrimSpace(login)) }

// checkText refuses text that XML 1.0 can't hold (XML 1.0, production 2): it
// could be signed as one thing and read as another.
func checkText(what, s string) *Error {
	bad := !utf8.ValidString(s) || strings.ContainsFunc(s, func(r rune) bool {
		return r < 0x20 && r != '\t' && r != '\n' && r != '\r' || r == 0xFFFE || r == 0xFFFF
	})
	if bad {
		return badConfig("%s: not text that XML can hold: %s", what, quote(s))
	}
	return nil
}
