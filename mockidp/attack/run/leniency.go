package run

import (
	"slices"
	"strings"

	"github.com/meridian-saml/meridian/mockidp/attack"
)

// Service providers differ, and not every difference is a hole. What follows
// says of which attacks it is none if the person is signed in that the identity
// provider's signature vouches for. This list is data.

// leniency is an attack, or a family of them, and what speaks for acceptance.
type leniency struct {
	ids  string        // ids, rows and families, separated by spaces
	sign []attack.Sign // of what is signed. Nil: whatever it is
	why  string
}

const (
	genuine    = "the message says what the identity provider signed, in an odd form"
	size       = "the message is genuine, and within this service provider's limits"
	outside    = "what is wrong is outside the signature, and the assertion is genuine"
	signedIt   = "the identity provider itself signed it so"
	oddTime    = "the identity provider itself signed so odd a time"
	clocks     = "within the clock skew that this service provider allows"
	ages       = "how old a message may be is for the service provider to say"
	otherHolds = "the Response's own signature is over all of it"
	normalised = "addresses are compared after normalisation"
)

func leniencies() []leniency {
	alone, both := []attack.Sign{attack.SignAssertion}, []attack.Sign{attack.SignBoth}
	return []leniency{
		// The first that covers an id decides: exceptions come before their rule.
		{"B29/rsa", nil, genuine},
		{"E13/good-in-broken", both, "the signature of the assertion holds"},
		{"B36/outer B02/outer", nil, "the signature of the assertion holds"},
		// What a signature that does not hold, or none, would have to vouch for.
		{"A22/after-signing A24 B01 B03 B09/inner-part B18 B27 B28 B29 B30 B34/zero B34/order B34/zero-s B34/half B34/other-curve B37 B38 B39 B40 E07 E13 C04/audience C19/signature", nil, ""},
		{"B02 B36", nil, ""},
		{"B31", nil, "old algorithms are allowed here; nothing was forged"},
		{"B33", nil, "short keys are allowed here, and the metadata lists this one"},
		{"C29 C30", nil, size},
		{"D51 D50/spaces", nil, "a deflated message is taken by POST, too"},
		{"C25/statement-as-authn J02/authn-statement", nil, "no AuthnStatement is required here"},
		{"C25/signature-last C25/no-attribute C25/no-attribute-in-second", nil, genuine},
		// Family C where it is about rules and not about spelling.
		{"C15/prefixed-recipient C19/confirmation C19/restriction C25 C27/audience-homoglyph C27/issuer-homoglyph", nil, ""},
		{"C27", nil, "values are compared without regard to case or white space"},
		// Family E: what is allowed to be read is not forged by it.
		{"E01 E02 E03 E04 E09 E10", nil, "this encryption is allowed here; nothing was forged"},
		{"A B C E", nil, genuine},
		// Family D: the rules about whom a message is for, and when.
		{"D08", nil, "unsolicited responses are allowed here"},
		{"D10/response-differs D10/only-response", nil, "the value in SubjectConfirmationData or in the Response is the one that was asked"},
		{"D13 D14 D15 D17/destination", alone, outside},
		{"D14", nil, "Destination is not required here"},
		{"D15/host-case D15/percent D15/dots D15/double-slash D15/empty-query D15/fragment D15/relative D15/white-space D15/lines D15/trailing-dot D16/host-case", nil, normalised},
		{"D21/two-for-this-url D21/expired-and-good D21/two-of-ours", nil, "one of the confirmations holds (Core 2.4.1)"},
		{"D22/future D23/expired D24/expired D24/not-yet D28/future", nil, clocks},
		{"D22/reversed D23/empty D23/malformed D24/malformed D24/empty D24/number D24/date-only D24/white-space D24/reversed D27/malformed D28/missing D28/malformed", nil, oddTime},
		{"D24/twice", nil, signedIt},
		{"D25 D26", nil, ages},
		{"D27", nil, "the session's end is not looked at, or left to the session"},
		{"D28/no-authn-context D28/empty-authn-context D28/empty-class D28/blank-class J02/authn-context", nil, "no AuthnContext is required here"},
		{"D28/no-statement", nil, "no AuthnStatement is required here"},
		{"D31/empty-second", nil, signedIt},
		{"D35/response D35/response-empty D35/response-format D36/response D38 D39", alone, outside},
		{"D35/assertion-format D35/response-format D35/response-missing D35/response-empty", nil, signedIt},
		{"D39/nested D39/no-status D39/no-code D39/no-value D39/two-statuses D39/two-codes", nil, signedIt},
		{"D40/assertion-1.1 D40/response-1.1 D40/2.1 D40/assertion-missing D40/response-missing D40/space", nil, signedIt},
		{"D41", nil, signedIt},
		{"D43", nil, signedIt},
		// Family J: what a declaration says, or a name in another namespace, is
		// forged where it is read.
		{"J01/destination J01/status", alone, outside},
		{"J01/listed", nil, genuine},
		{"J02/name-id J02/attribute", nil, signedIt},
	}
}

// harmless says why it is no hole if a service provider accepts a case and signs
// in the person that it is genuinely about. "" if it is one.
func harmless(c attack.Case, sign attack.Sign) string {
	all := leniencies()
	if i := slices.IndexFunc(all, func(l leniency) bool { return l.covers(c.ID, sign) }); i >= 0 {
		return all[i].why
	}
	return ""
}

func (l leniency) covers(id string, sign attack.Sign) bool {
	return (l.sign == nil || slices.Contains(l.sign, sign)) &&
		slices.ContainsFunc(strings.Fields(l.ids), func(word string) bool { return chooses(word, id) })
}

// vouchedFor says that, whichever user is signed in, the identity provider's signature
// covers the name. "" if it does not, which is the rule.
func vouchedFor(c attack.Case, sign attack.Sign) string {
	switch c.ID {
	case "C07/name-id":
		return "the identity provider's signature is over both parts of the name"
	case "A18/signed-advice", "A19/both-signed", "C25/base-id", "D43/twice", "E12/both-ids", "E12/attribute-as-id",
		"J03/alone", "J03/before", "J03/after", "J03/encrypted":
		return "the identity provider's signature is over both names"
	}
	if sign == attack.SignBoth && c.OnSignature() {
		return otherHolds
	}
	return ""
}
