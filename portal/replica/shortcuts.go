package replica

import (
	"context"
	"time"

	"github.com/meridian-saml/meridian/portal/internal/refusal"
	"github.com/meridian-saml/meridian/portal/replica/internal/merge"
	"github.com/meridian-saml/meridian/portal/shortcuts"
)

// shortcutsLife is how long a Region keeps a list of shortcuts that it doesn't write again. An empty list, of a user
// who was removed, lives as long, so that it replaces the earlier one in every copy.
const shortcutsLife = 400 * 24 * time.Hour

// shortcutStore is the shortcuts.Store of a Node.
type shortcutStore struct{ n *Node }

// Shortcuts implements shortcuts.Store.
func (s shortcutStore) Shortcuts(_ context.Context, userID string) (l shortcuts.List, err error) {
	if err := s.n.stopped(); err != nil {
		return l, err
	}
	s.n.ledger.read(func(m *merge.Sessions) { l = m.Shortcuts(userID) })
	return l, nil
}

// Put implements shortcuts.Store.
func (s shortcutStore) Put(ctx context.Context, userID string, l shortcuts.List) error {
	known, err := s.Shortcuts(ctx, userID)
	if err != nil {
		return err
	}
	return s.n.putShortcuts(ctx, userID, shortcuts.Merge(known, l))
}

func (n *Node) putShortcuts(ctx context.Context, userID string, l shortcuts.List) error {
	now := n.cfg.Now().Round(0)
	e := merge.Entry{User: userID, Shortcuts: &l, Seen: now, Until: now.Add(shortcutsLife), Optional: true}
	return n.record(ctx, merge.EntryShortcuts, e, e.Until)
}

// endShortcuts empties the lists that this Region wrote of users who were removed from the directory. Each Region does
// that with its own.
func (n *Node) endShortcuts(ctx context.Context) error {
	v := n.View()
	if v == nil || n.noUpdates() != nil || !n.lists(n.cfg.Region) {
		return nil
	}
	var users []string
	n.ledger.read(func(m *merge.Sessions) { users = m.WithShortcuts() })
	for _, user := range users {
		if _, ok := v.UserByID(user); ok {
			continue
		}
		if err := n.putShortcuts(ctx, user, shortcuts.List{}); err != nil {
			return err
		}
		n.cfg.Logger.Info("replica: shortcuts of a removed user are erased", "user", refusal.Quote(user))
	}
	return nil
}
