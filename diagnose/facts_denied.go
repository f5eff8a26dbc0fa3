package diagnose

import "time"

// Denial is something that SELinux forbade xrdp, from the audit log.
type Denial struct {
	Time time.Time `json:"time"`
	// Permissions are what was asked for: "read", "open", "getattr", "search".
	Permissions []string `json:"permissions"`
	// Name is the last part of the path, as the kernel knows it.
	Name  string `json:"name"`
	Class string `json:"class"` // "file", "dir", "lnk_file"
	// Source and Target are the contexts of the process and of the file.
	Source string `json:"source"`
	Target string `json:"target"`
}
