package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/meridian-saml/meridian/mockidp"
	"github.com/meridian-saml/meridian/mockidp/attack/run"
	"github.com/meridian-saml/meridian/mockidp/hostile"
)

// standing collects the values of -attack: an ID, and whose answers it is for,
// such as "A03/assertion,app=payroll,user=alice@example.com".
type standing []mockidp.StandingMutation

func (s *standing) String() string { return "" }

func (s *standing) Set(text string) error {
	parts := strings.Split(text, ",")
	m := mockidp.StandingMutation{ID: parts[0]}
	for _, p := range parts[1:] {
		switch name, value, _ := strings.Cut(p, "="); name {
		case "app":
			m.App = value
		case "user":
			m.User = value
		default:
			return fmt.Errorf("want app or user, got %q", name)
		}
	}
	if m.ID == "" {
		return errors.New("want the ID of an attack first")
	}
	*s = append(*s, m)
	return nil
}

// mutate puts attacks of the catalogue in the place of answers: those that
// -attack and the configuration switch on, and what is ordered with -attacks.
func (o *controlOptions) mutate(c *mockidp.Config) error {
	c.StandingMutations = append(c.StandingMutations, o.attack...)
	if len(c.StandingMutations) == 0 && !o.attacks {
		return nil
	}
	hostile.Arm(c)
	for _, m := range c.StandingMutations {
		switch {
		case slices.Contains(c.Mutations, m.ID):
		case slices.ContainsFunc(run.List(), func(e run.Entry) bool { return e.ID == m.ID }):
			return fmt.Errorf("attack: %q is nothing that one page in a browser can do; mockidp attack makes it", m.ID)
		default:
			return fmt.Errorf("attack: no attack is called %q; mockidp attack -list prints them", m.ID)
		}
	}
	return nil
}
