# -*- coding: utf-8 -*-
# Copyright: the xrdpfix authors
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reaches a host of the lab through its namespaces; used by the tests alone."""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

DOCUMENTATION = '''
name: nsenter
short_description: Run tasks inside a machine that runs in namespaces of this one
description:
  - Enters all namespaces of a process with nsenter(1). Needs root.
author: The xrdpfix authors
options:
  pid:
    description: The process, on this machine, of the PID 1 of the host.
    required: true
    type: int
    vars:
      - name: lab_pid
'''

import os
import subprocess

from ansible.errors import AnsibleConnectionFailure, AnsibleFileNotFound
from ansible.module_utils.common.text.converters import to_bytes
from ansible.plugins.connection import ConnectionBase

# Nothing of the controller's own environment reaches a host.
ENVIRONMENT = [
    'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
    'HOME=/root', 'USER=root', 'LOGNAME=root', 'LANG=C.UTF-8',
]


class Connection(ConnectionBase):
    """A host is its PID 1."""

    transport = 'nsenter'
    has_pipelining = True

    def _connect(self):
        self._connected = True
        return self

    def _run(self, argv, **streams):
        pid = str(self.get_option('pid'))
        if not os.path.isdir('/proc/' + pid):
            raise AnsibleConnectionFailure('no process %s: the host is not running' % pid)
        enter = ['nsenter', '-t', pid, '-a', '--', 'env', '-i', '-C', '/'] + ENVIRONMENT
        return subprocess.Popen(enter + argv, stderr=subprocess.PIPE, **streams)

    def exec_command(self, cmd, in_data=None, sudoable=True):
        super(Connection, self).exec_command(cmd, in_data=in_data, sudoable=sudoable)
        run = self._run(['/bin/sh', '-c', cmd], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        out, err = run.communicate(in_data)
        return run.returncode, out, err

    def put_file(self, in_path, out_path):
        super(Connection, self).put_file(in_path, out_path)
        if not os.path.exists(to_bytes(in_path)):
            raise AnsibleFileNotFound('no file %s' % in_path)
        with open(to_bytes(in_path), 'rb') as source:
            self._copy(['dd', 'of=' + out_path], out_path, stdin=source, stdout=subprocess.DEVNULL)

    def fetch_file(self, in_path, out_path):
        super(Connection, self).fetch_file(in_path, out_path)
        with open(to_bytes(out_path), 'wb') as target:
            self._copy(['cat', in_path], in_path, stdin=subprocess.DEVNULL, stdout=target)

    def _copy(self, argv, path, **streams):
        run = self._run(argv, **streams)
        err = run.communicate()[1]
        if run.returncode != 0:
            raise AnsibleConnectionFailure('copy %s: %s' % (path, err.decode(errors='replace')))

    def close(self):
        self._connected = False
