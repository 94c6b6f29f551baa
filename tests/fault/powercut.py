"""Power cuts, out of what strace saw of a program's writes.

    powercut.py LOG DIR ACKS CUTS COMMAND...

LOG is of strace -f -y -xx -s 99999999 -e trace=openat,write,pwrite64,ftruncate,rename,unlink,
fsync,fdatasync. Each cut takes a random prefix of the calls. What a call to fsync had covered is
there; of the writes behind it each is there, or not, or torn at 512 bytes; of the changes to a
folder a prefix is there. The files under DIR, which was empty at first, are made so in a folder
'cut', the lines that had been written to ACKS in 'cut.acked', and COMMAND has to end with 0.
Files that end in -shm are memory and never there.
"""
import os
import random
import re
import shutil
import subprocess
import sys


def text(hexed):
    return bytes.fromhex(hexed.replace('\\x', ''))


CALL = re.compile(r'^\d+ +(\w+)\((.*)\) += (-?\d+)(?:<((?:\\x[0-9a-f]{2})*)>)?')
FD = re.compile(r'^(\d+)<((?:\\x[0-9a-f]{2})*)>')
STRING = re.compile(r'"((?:\\x[0-9a-f]{2})*)"')


class Inode:
    def __init__(self):
        self.synced = b''
        self.pending = []  # (offset, bytes) or (length, None)


def change(data, op):
    at, new = op
    if new is None:
        return data[:at].ljust(at, b'\0')
    return data[:at].ljust(at, b'\0') + new + data[at + len(new):]


class Disk:
    def __init__(self, root, acks):
        self.root, self.acks = root, acks
        self.now = {}  # what the program sees: path -> inode
        self.kept = {}  # what a cut leaves: path -> inode
        self.folder = []  # changes that no fsync of the folder has covered
        self.at = {}  # descriptor -> position
        self.acked = b''

    def do_folder(self, names, op):
        if op[0] == 'link':
            names[op[1]] = op[2]
        elif op[0] == 'unlink':
            names.pop(op[1], None)
        elif op[1] in names:
            names[op[2]] = names.pop(op[1])

    def change_folder(self, *op):
        self.do_folder(self.now, op)
        self.folder.append(op)

    def mine(self, path):
        return path.startswith(self.root + b'/') and not path.endswith(b'-shm')

    def call(self, name, args, result, opened):
        fd = FD.match(args)
        path = text(fd.group(2)) if fd else b''
        strings = [text(s) for s in STRING.findall(args)]
        if name == 'openat' and opened and self.mine(text(opened)):
            path = text(opened)
            self.at[result] = 0
            if path not in self.now and not os.path.isdir(path):
                self.change_folder('link', path, Inode())
            elif 'O_TRUNC' in args:
                self.now[path].pending.append((0, None))
        elif name in ('write', 'pwrite64'):
            data = strings[0][:result] if strings else b''
            if path == self.acks:
                self.acked += data
            elif path in self.now:
                number = int(fd.group(1))
                at = int(args.rsplit(', ', 1)[1]) if name == 'pwrite64' else self.at.get(number, 0)
                if name == 'write':
                    self.at[number] = at + len(data)
                self.now[path].pending.append((at, data))
        elif name == 'ftruncate' and path in self.now:
            self.now[path].pending.append((int(args.rsplit(', ', 1)[1]), None))
        elif name in ('fsync', 'fdatasync'):
            if path in self.now:
                inode = self.now[path]
                for op in inode.pending:
                    inode.synced = change(inode.synced, op)
                inode.pending = []
            elif path == self.root:
                for op in self.folder:
                    self.do_folder(self.kept, op)
                self.folder = []
        elif name in ('rename', 'unlink'):
            paths = [s if s.startswith(b'/') else os.path.join(os.getcwdb(), s) for s in strings]
            if self.mine(paths[0]):
                self.change_folder(name, *paths)

    def cut(self, rng, to):
        names = dict(self.kept)
        for op in self.folder[:rng.randint(0, len(self.folder))]:
            self.do_folder(names, op)
        share = rng.choice([0, 0.5, 1])
        for path, inode in names.items():
            data = inode.synced
            for at, new in inode.pending:
                if rng.random() >= share:
                    continue
                if new and rng.random() < 0.2:
                    new = new[:rng.randrange(0, len(new) + 1, 512)]
                data = change(data, (at, new))
            with open(os.path.join(to, os.path.relpath(path, self.root)), 'wb') as f:
                f.write(data)


def main():
    log, root, acks, cuts = sys.argv[1:5]
    calls = []
    with open(log) as f:
        for line in f:
            m = CALL.match(line)
            if m and int(m.group(3)) >= 0:
                calls.append((m.group(1), m.group(2), int(m.group(3)), m.group(4)))
    rng = random.Random(1)
    root, acks = os.path.abspath(root).encode(), os.path.abspath(acks).encode()
    acked = 0
    for k in range(int(cuts)):
        disk = Disk(root, acks)
        for call in calls[:rng.randint(0, len(calls))]:
            disk.call(*call)
        shutil.rmtree('cut', ignore_errors=True)
        os.mkdir('cut')
        disk.cut(rng, b'cut')
        lines = disk.acked[:disk.acked.rfind(b'\n') + 1]
        acked += lines.count(b'\n')
        with open('cut.acked', 'wb') as f:
            f.write(lines)
        if subprocess.run(sys.argv[5:]).returncode:
            print(f'cut {k}: {lines.count(b"%c" % 10)} lines were acknowledged')
            return 1
    print(f'{cuts} cuts of {len(calls)} calls, {acked} acknowledgements looked for')
    return 0 if acked else 1


sys.exit(main())
