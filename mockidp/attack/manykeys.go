package attack

import (
	"crypto/rsa"
	"slices"

	"github.com/beevik/etree"
)

// manyKeys: J06, and the end of E11. An identity provider may encrypt for many at
// once, and say in Recipient for whom each key is. That decides which one is tried
// first.
func manyKeys() []Case {
	// among has so many keys for others before ours. The functions say whom each names.
	among := func(id string, o Outcome, others int, ours, theirs func(*draft) string, more func(*encryption)) Case {
		return Case{ID: id, Outcome: o, Needs: Needs{Encrypted: true}, attack: change{setup: func(d *draft) {
			d.encryption.to = append(slices.Repeat([]*rsa.PublicKey{d.otherKey()}, others), d.p.EncryptTo)
			d.encryption.finish = func(_ *etree.Element, keys []*etree.Element) {
				for i, key := range keys {
					whose := theirs
					if i == others {
						whose = ours
					}
					if name := whose(d); name != "" {
						key.CreateAttr("Recipient", name)
					}
				}
			}
			if more != nil {
				more(d.encryption)
			}
		}}}
	}
	inside := func(c Case) Case { return only(overResponse, c) }
	outside := func(c Case) Case { return only(assertionOnly, c) }
	us := func(d *draft) string { return d.p.Audience }
	another := func(*draft) string { return "https://other.example" }
	none := func(*draft) string { return "" }
	return []Case{
		among("J06/nine", accept(), 8, us, another, nil),
		among("J06/nine-others-unnamed", accept(), 8, us, none, nil),
		among("J06/hundred", accept(), 99, us, another, nil),
		among("J06/detached", accept(), 8, us, another, func(e *encryption) { e.detached = true }),
		// No more than eight are tried, whatever they name.
		among("J06/all-name-us", unread, 8, us, us, nil),
		among("J06/none-names-us", unread, 8, another, another, nil),
		among("J06/unnamed", unread, 8, none, none, nil),
		// How many are tried where none is named. What has no signature around it
		// may be from anyone, and private-key operations cost.
		inside(among("E11/eighth", accept(), 7, none, none, nil)),
		inside(among("E11/ninth", unread, 8, none, none, nil)),
		outside(among("E11/second-unsigned", accept(), 1, none, none, nil)),
		outside(among("E11/third-unsigned", unread, 2, none, none, nil)),
	}
}
