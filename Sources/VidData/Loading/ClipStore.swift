import Synchronization
import VidSystem

/// Clips that a data check has decoded in passing, for the training that follows: its loader takes each once, so that a first training
/// decodes a video once.
///
/// A clip is kept only if a load by itself would give the same: its file was decoded without any error, and has not changed since.
package final class ClipStore: Sendable {
    private let state: Mutex<State>

    private struct Key: Hashable {
        let path: String
        let sampling: String
    }

    private struct State {
        var clips: [Key: (clip: LoadedClip, status: FileStatus)] = [:]
        /// Bytes of pixels that may be kept besides those of `clips`.
        var room: Int
        var taken = 0
    }

    /// - Parameter bytes: of pixels to keep at most.
    package init(bytes: Int) { state = Mutex(State(room: bytes)) }

    /// The clips that were taken so far.
    package var taken: Int { state.withLock { $0.taken } }
    /// The clips that are kept now.
    package var count: Int { state.withLock { $0.clips.count } }

    /// Whether so many bytes of pixels can be kept now.
    func hasRoom(for bytes: Int) -> Bool { bytes <= state.withLock { $0.room } }

    /// Keeps a clip of the file at `path` if there is room.
    ///
    /// - Parameters:
    ///   - sampling: the cache key of its view (`ClipLoader.sampling`).
    ///   - status: the file's status before it was read.
    func keep(_ clip: LoadedClip, of path: String, sampling: String, _ status: FileStatus) {
        let key = Key(path: path, sampling: sampling)
        state.withLock { state in
            guard state.clips[key] == nil, clip.clip.byteCount <= state.room else { return }
            state.room -= clip.clip.byteCount
            state.clips[key] = (clip, status)
        }
    }

    /// Hands out the clip that a load of the file at `path` would give, and forgets it; nil if there is none or the file has changed.
    ///
    /// - Parameter sampling: is evaluated only if there are any clips, because it may read the head of the file.
    func take(_ path: String, sampling: @autoclosure () -> String) -> LoadedClip? {
        guard count > 0 else { return nil }
        let key = Key(path: path, sampling: sampling())
        let found = state.withLock { state in
            let found = state.clips.removeValue(forKey: key)
            if let found { state.room += found.clip.clip.byteCount }
            return found
        }
        guard let found, (try? SystemCall.status(path)) == found.status else { return nil }
        state.withLock { $0.taken += 1 }
        return found.clip
    }

    /// Forgets the clips of these files.
    package func remove(_ paths: some Sequence<String>) {
        let paths = Set(paths)
        state.withLock { state in
            for (key, kept) in state.clips where paths.contains(key.path) {
                state.clips[key] = nil
                state.room += kept.clip.clip.byteCount
            }
        }
    }

    /// Forgets clips until those that are left take at most so many bytes.
    package func shrink(to bytes: Int) {
        state.withLock { state in
            var kept = state.clips.values.reduce(0) { $0 + $1.clip.clip.byteCount }
            for (key, some) in state.clips where kept > bytes {
                state.clips[key] = nil
                kept -= some.clip.clip.byteCount
            }
            state.room = max(0, bytes - kept)
        }
    }
}
