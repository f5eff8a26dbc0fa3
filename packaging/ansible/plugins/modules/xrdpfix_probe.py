#!/usr/bin/python
# -*- coding: utf-8 -*-
# Copyright: the xrdpfix authors
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Ansible module xrdpfix_probe."""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

DOCUMENTATION = r'''
module: xrdpfix_probe
short_description: See an RDP server from the network, as its users do
version_added: 0.1.0
description:
  - Runs C(xrdpfix probe) against any RDP server, without credentials, and fails where it does not offer what is expected.
  - Run it where the users are, or at least on the controller with C(delegate_to=localhost). What a host sees of
    itself says nothing about the firewall in front of it.
  - Changes nothing.
options:
  host:
    description: Name or address of the server.
    type: str
    required: true
  port:
    description: Its port.
    type: int
    default: 3389
  tls:
    description: Fail unless the server lets clients use TLS.
    type: bool
    default: true
  accept:
    description: TLS versions that it must accept, as in C(plan.expect.accept) of M(xrdpfix.xrdp.xrdpfix).
    type: list
    elements: str
    choices: ['TLS 1.0', 'TLS 1.1', 'TLS 1.2', 'TLS 1.3']
    default: []
  refuse:
    description: TLS versions that it must refuse.
    type: list
    elements: str
    choices: ['TLS 1.0', 'TLS 1.1', 'TLS 1.2', 'TLS 1.3']
    default: []
  certificate:
    description:
      - The SHA256 fingerprint of the certificate that it must show, as in C(served.sha256) of M(xrdpfix.xrdp.xrdpfix).
        Another one means that another server answers, or something on the way that reads along.
    type: str
  timeout:
    description: Time allowed for each connection, as in C(10s).
    type: str
  program:
    description: The program, by its path, or by its name in C(PATH).
    type: str
    default: xrdpfix
attributes:
  check_mode:
    support: full
    description: It never changes anything.
  diff_mode:
    support: none
    description: It never changes anything.
  platform:
    platforms: linux
    support: full
    description: Where xrdpfix is installed.
seealso:
  - module: xrdpfix.xrdp.xrdpfix
author:
  - The xrdpfix authors (@xrdpfix)
'''

EXAMPLES = r'''
- name: The users must be able to connect with TLS
  xrdpfix.xrdp.xrdpfix_probe:
    host: "{{ ansible_host }}"
    refuse: [TLS 1.0, TLS 1.1]
  delegate_to: localhost
'''

RETURN = r'''
msg:
  description: What the server offers, or what it lacks.
  returned: always
  type: str
  sample: '192.0.2.10:3389 does not answer: connection refused'
probe:
  description: What the server answered.
  returned: when xrdpfix ran
  type: dict
  contains:
    reachable:
      description: Whether it answered as an RDP server does.
      type: bool
    security:
      description: The answer to each request for security.
      type: list
      elements: dict
    tls:
      description: The answer about each TLS version.
      type: list
      elements: dict
clients:
  description: Which clients can connect.
  returned: when xrdpfix ran
  type: list
  elements: dict
certificate:
  description: The certificate that it showed.
  returned: when it showed one
  type: dict
exit:
  description: How xrdpfix ended.
  returned: when xrdpfix ran
  type: dict
'''

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.xrdpfix.xrdp.plugins.module_utils.program import Program, error, result


def unmet(document, params):
    """What the server does not do that it should."""
    probe = document['probe']
    if not probe['reachable']:
        return ['%s does not answer: %s' % (probe['addr'], (probe.get('failure') or {}).get('text', 'no answer'))]
    out = []
    if params['tls'] and not any(s.get('selected') == 'PROTOCOL_SSL' for s in probe['security']):
        out.append('%s offers no TLS' % probe['addr'])
    answers = dict((v['version'], v['answer']) for v in probe['tls'])
    for names, answer in (('accept', 'accepted'), ('refuse', 'refused')):
        for version in params[names]:
            if answers.get(version, 'not asked') != answer:
                out.append('%s is %s, and should be %s' % (version, answers.get(version, 'not offered'), answer))
    shown = (document.get('certificate') or {}).get('sha256', 'none')
    if params['certificate'] and shown.replace(':', '').lower() != params['certificate'].replace(':', '').lower():
        out.append('another certificate is shown: SHA256 %s instead of %s' % (shown, params['certificate']))
    return out


def main():
    """Runs the module."""
    versions = ['TLS 1.0', 'TLS 1.1', 'TLS 1.2', 'TLS 1.3']
    module = AnsibleModule(
        argument_spec={
            'host': {'type': 'str', 'required': True},
            'port': {'type': 'int', 'default': 3389},
            'tls': {'type': 'bool', 'default': True},
            'accept': {'type': 'list', 'elements': 'str', 'choices': versions, 'default': []},
            'refuse': {'type': 'list', 'elements': 'str', 'choices': versions, 'default': []},
            'certificate': {'type': 'str'},
            'timeout': {'type': 'str'},
            'program': {'type': 'str', 'default': 'xrdpfix'},
        },
        supports_check_mode=True,
    )
    options = ['--timeout=' + module.params['timeout']] if module.params['timeout'] else []
    program = Program(module, module.params['program'], options)
    if program.path is None:
        module.fail_json(msg='there is no program %s where the probe is to run' % module.params['program'])
    host = module.params['host']
    target = '%s:%d' % ('[%s]' % host if ':' in host else host, module.params['port'])
    documents = program.run('probe', target)
    found = [d for d in documents if 'probe' in d]
    if not found:
        module.fail_json(msg=error(documents[-1]), **result(documents[-1]))
    lacks = unmet(found[0], module.params)
    if lacks:
        module.fail_json(msg='; '.join(lacks), **result(found[0]))
    module.exit_json(msg='%s offers what is expected' % target, **result(found[0]))


if __name__ == '__main__':
    main()
