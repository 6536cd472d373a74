package configfile

import "reflect"

// Keys returns the keys of a struct, and the types of their values, in order.
func Keys(t reflect.Type) (names []string, types []reflect.Type) {
	for _, f := range fieldsOf(t) {
		names, types = append(names, f.name), append(types, t.Field(f.index).Type)
	}
	return names, types
}

// Outside returns the fields of mockidp.Config that a file doesn't have.
func Outside() []string { return outside }

// Words returns the words of a choice.
func Words(t reflect.Type) []string { return words[t] }

// IsText reports whether a type is written as text in a form of its own.
func IsText(t reflect.Type) bool {
	_, ok := textOf(t)
	return ok
}
