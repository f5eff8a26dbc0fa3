// Package webpage makes one HTML page of what was found, to hand over: on a
// screen, on a phone, on paper. The page is whole in itself: it asks no network
// for anything, runs no script, and a policy in its head forbids both.
//
// Values come in as plain strings and are believed to be hostile: html/template
// escapes them, and characters that would hide or turn text are replaced.
package webpage
