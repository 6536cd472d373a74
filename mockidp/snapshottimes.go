package mockidp

import "time"

// UserTimes is when something happened to a user; zero is never.
type UserTimes struct {
	Created, Updated               time.Time // Updated is about everything but groups
	Activated                      time.Time
	StatusChanged, PasswordChanged time.Time
}

// GroupTimes is when something happened to a group. Membership is when a user
// joined or left.
type GroupTimes struct{ Created, Updated, Membership time.Time }

// AppTimes is when something happened to an app. Updated is about everything but
// assignments.
type AppTimes struct{ Created, Updated time.Time }

// UserTimes returns the times of the user with that ID; zero if there is none.
func (v Snapshot) UserTimes(id string) UserTimes {
	if t := v.st.times.users[id]; t != nil {
		return t.UserTimes
	}
	return UserTimes{}
}

// GroupTimes returns the times of the group with that ID; zero if there is none.
func (v Snapshot) GroupTimes(id string) GroupTimes { return v.st.times.groups[id] }

// AppTimes returns the times of the app with that ID; zero if there is none.
func (v Snapshot) AppTimes(id string) AppTimes {
	if t := v.st.times.apps[id]; t != nil {
		return t.AppTimes
	}
	return AppTimes{}
}

// Assignment is that an app is assigned to a user.
type Assignment struct {
	Direct           bool   // by App.Users, not only by a group
	NameID           string // the user's name at a SAML app
	Created, Updated time.Time
}

// Assignment returns the assignment of an app to a user, by their IDs, and
// whether there is one. NameID is the Login where the app doesn't make another.
func (v Snapshot) Assignment(appID, userID string) (Assignment, bool) {
	a, _ := v.st.app(appID)
	u := v.st.userByID(userID)
	if a == nil || u == nil || !a.AssignedTo(*u) {
		return Assignment{}, false
	}
	out := Assignment{Direct: a.listsUser(u), NameID: u.Login}
	if a.Kind == SAML {
		if name, err := a.nameID(u); err == nil {
			out.NameID = name
		}
	}
	if v.st.times.apps[a.ID] != nil && v.st.times.users[u.ID] != nil { // else they are new in a Change
		out.Created, out.Updated = v.st.assigned(a, u)
	}
	return out, true
}

// GroupAssigned returns since when an app is assigned to a group, by their IDs;
// zero if it isn't.
func (v Snapshot) GroupAssigned(appID, groupID string) time.Time {
	t := v.st.times.apps[appID]
	if t == nil || t.groups[groupID].IsZero() {
		return time.Time{}
	}
	return latest(t.groups[groupID], v.st.times.groups[groupID].Created)
}

// LastLogin returns when the user with that ID signed in last; zero is never.
func (s *Server) LastLogin(userID string) time.Time {
	at, _ := s.logins.get(userID)
	return at
}
