//! Sealing anew leaves nothing in plain, whatever a crash left; keeps engines out; and one file that cannot be read does not
//! keep the others from it.

use frontdesk::records::{Archive, Error, Keys, Store};

use crate::sealed_records_open_with_their_key_alone::{bytes, call, keys, with};

#[tokio::test]
async fn no_plain_file_is_left_by_a_crash() {
    let folder = tempfile::tempdir().unwrap();
    call(folder.path(), Keys::default(), "0198-a", true).await;
    let (plain, sound) = bytes(folder.path()).into_iter().find(|(path, _)| path.ends_with("0198-a.wav")).unwrap();
    let archive = Archive::open_with(folder.path(), keys(&[1])).await.unwrap();
    assert_eq!(archive.reseal().await.unwrap().recordings, 1);
    assert!(!plain.exists() && with(folder.path(), b"RIFF").is_empty());
    // A crash between the row and the file, and one in the middle of writing; a recording whose row never came.
    std::fs::write(&plain, &sound).unwrap();
    std::fs::write(plain.with_extension("new"), &sound[..9_000]).unwrap();
    std::fs::write(plain.with_file_name("0198-stray.wav"), &sound).unwrap();
    let resealed = archive.reseal().await.unwrap();
    assert_eq!((resealed.recordings, resealed.left.len()), (1, 0));
    assert_eq!(with(folder.path(), b"RIFF"), Vec::<std::path::PathBuf>::new());
    let left: Vec<_> =
        std::fs::read_dir(plain.parent().unwrap()).unwrap().map(|file| file.unwrap().file_name()).collect();
    assert_eq!(left.len(), 2, "{left:?}");
    let record = archive.show("last").await.unwrap();
    assert_eq!(archive.sound(&record.recordings[0], 0).unwrap().ms(), 3_000);
}

#[tokio::test]
async fn what_cannot_be_read_is_named_and_the_rest_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["0198-a", "0198-b", "0198-c"] {
        call(folder.path(), keys(&[1]), name, true).await;
    }
    let (damaged, mut sound) =
        bytes(folder.path()).into_iter().find(|(path, _)| path.ends_with("0198-a.sealed")).unwrap();
    sound[5_000] ^= 1;
    std::fs::write(&damaged, &sound).unwrap();
    call(folder.path(), keys(&[3]), "0198-d", true).await; // its key is gone
    let archive = Archive::open_with(folder.path(), keys(&[2, 1])).await.unwrap();
    let resealed = archive.reseal().await.unwrap();
    assert_eq!(resealed.recordings, 2);
    assert!(
        resealed.left.iter().any(|(what, error)| what.contains("0198-a.sealed") && matches!(error, Error::Damaged))
    );
    assert!(resealed.left.iter().any(|(what, error)| what.contains("0198-d") && matches!(error, Error::Sealed(_))));
    assert_eq!(std::fs::read(&damaged).unwrap(), sound, "as it was");
    drop(archive);
    let archive = Archive::open_with(folder.path(), keys(&[2])).await.unwrap();
    for name in ["0198-b", "0198-c"] {
        let record = archive.show(name).await.unwrap();
        assert_eq!(archive.sound(&record.recordings[0], 0).unwrap().ms(), 3_000);
    }
}

#[tokio::test]
async fn no_engine_runs_meanwhile() {
    let folder = tempfile::tempdir().unwrap();
    call(folder.path(), keys(&[1]), "0198-a", true).await;
    let store = Store::open_with(folder.path(), keys(&[2, 1])).await.unwrap();
    let archive = Archive::open_with(folder.path(), keys(&[2, 1])).await.unwrap();
    assert!(matches!(archive.reseal().await, Err(Error::InUse(_))));
    store.close().await.unwrap();
    assert!(archive.reseal().await.unwrap().values > 0);
}
