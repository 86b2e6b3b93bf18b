
/// How much room a file system has.
package struct FileSystemRoom: Sendable {
    /// Bytes that this user can still write.
    package let free: Int
    /// Bytes in all.
    package let size: Int

    package init(free: Int, size: Int) {
        self.free = free
        self.size = size
    }

    /// Of the file system that holds `path`; nil where it does not say.
    package init?(at path: String) {
        var raw = statvfs()
        guard statvfs(path, &raw) == 0, raw.f_blocks > 0 else { return nil }
        free = FileSystemRoom.bytes(UInt64(raw.f_bavail), UInt64(raw.f_frsize))
        size = FileSystemRoom.bytes(UInt64(raw.f_blocks), UInt64(raw.f_frsize))
    }

    /// A network's file system may name any number.
    private static func bytes(_ blocks: UInt64, _ blockSize: UInt64) -> Int {
        let (product, overflow) = blocks.multipliedReportingOverflow(by: blockSize)
        return overflow ? .max : Int(clamping: product)
    }
}
