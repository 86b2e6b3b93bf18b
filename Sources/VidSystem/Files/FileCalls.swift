
/// The system calls of a save, so that tests can have them fail. Each sets `errno` as the real one does.
package struct FileCalls: Sendable {
    package typealias Write = @Sendable (_ descriptor: Int32, _ bytes: UnsafeRawPointer?, _ count: Int, _ offset: Int) -> Int

    package var write: Write
    package var sync: @Sendable (_ descriptor: Int32) -> Int32
    package var rename: @Sendable (_ from: String, _ to: String) -> Int32

    package init(
        write: @escaping Write, sync: @escaping @Sendable (_ descriptor: Int32) -> Int32,
        rename: @escaping @Sendable (_ from: String, _ to: String) -> Int32
    ) {
        self.write = write
        self.sync = sync
        self.rename = rename
    }

    /// The real ones.
    package static let posix = FileCalls(
        write: { pwrite($0, $1, $2, off_t($3)) }, sync: { fsync($0) }, rename: { systemRename($0, $1) })

    /// The real ones, but nothing waits for the disk: for files that are checked when they are read and can be made again.
    package static let unsynced = FileCalls(write: posix.write, sync: { _ in 0 }, rename: posix.rename)
}

/// A name that `FileCalls`'s own member hides.
private func systemRename(_ from: String, _ to: String) -> Int32 { rename(from, to) }
