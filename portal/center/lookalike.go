package center

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// checkNewNames refuses the userNames of s that before doesn't have, if they
// hold what can't be seen: a reader takes such a name for another user's.
// A name that is there already is left alone. It came from a version that took
// it, and no rule may keep an instance from starting or its user from being
// disabled. before is empty for an instance that is made by hand.
func checkNewNames(before, s *Snapshot) error {
	for _, u := range s.data.Users {
		if !strings.ContainsFunc(u.UserName, unseen) {
			continue
		}
		if _, known := before.User(u.UserName); !known {
			return &Error{Reason: ReasonInvalid, Rule: "userName of user", Want: "no invisible or bidirectional characters", Got: u.UserName}
		}
	}
	return nil
}

// unseen says whether a character shows nothing, moves others, or looks like
// the space that it isn't.
//
// The joiners U+200C and U+200D are among them. Some scripts need them in words,
// and so PRECIS (RFC 8264) and IDNA (RFC 5892 A.1) let them into identifiers,
// but only between certain letters, since elsewhere they show nothing. No
// directory is known whose userNames have them, so there are no exceptions here.
func unseen(r rune) bool {
	switch {
	case r < utf8.RuneSelf:
		return false // control characters are refused as such
	case r == '\u2800': // a Braille pattern without dots
		return true
	case unicode.Is(unicode.Z, r): // U+0020 is above
		return true
	}
	// Default_Ignorable_Code_Point (UAX 44) is these three, but for a few
	// visible signs of Cf that no userName has either.
	return unicode.In(r, unicode.Cf, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector)
}
