//! The control socket.

use super::*;

fn listening(world: World) -> (tempfile::TempDir, std::path::PathBuf, Lifecycle) {
    let World { folder, alone } = world;
    let path = folder.path().join("control.sock");
    let control = Control::bind(&path).unwrap();
    let lifecycle = Lifecycle::new();
    let operations = Arc::new(alone.operations);
    lifecycle.spawn("control", control.serve(operations, lifecycle.clone()));
    (folder, path, lifecycle)
}

#[tokio::test]
async fn the_socket_answers_until_the_process_drains() {
    let world = World::sqlite().await;
    world.user(ALICE).await;
    let (_folder, path, lifecycle) = listening(world);
    assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    assert!(Control::bind(&path).is_err(), "somebody listens there");
    let shown = ask(
        &path,
        &Request::UserShow {
            user: ALICE.to_owned(),
        },
    )
    .await
    .unwrap();
    assert!(matches!(shown, Answer::Reply(Reply::User(_))), "{shown:?}");
    let refused = ask(&path, &trace("nope")).await.unwrap();
    assert_eq!(
        refused,
        Answer::Refusal(Refusal::NoSuchMessage {
            id: "nope".to_owned()
        })
    );
    let many = futures_util::future::join_all((0..40).map(|_| ask(&path, &Request::Now))).await;
    assert!(many.iter().all(Result::is_ok), "more than fit wait");
    lifecycle.drain();
    assert!(lifecycle.finish(std::time::Duration::from_secs(20)).await);
    assert!(matches!(
        ask(&path, &Request::Now).await,
        Err(AskError::Nobody(_))
    ));
    assert!(!path.exists());
}

#[tokio::test]
async fn nonsense_on_the_socket_is_refused_and_survived() {
    let (_folder, path, _lifecycle) = listening(World::sqlite().await);
    let long = vec![b'x'; 70_000];
    let nonsense: [&[u8]; 6] = [
        b"\n",
        b"{}\n",
        b"{\"do\":\"fly\"}\n",
        b"\xff\xfe\n",
        b"{\"do\":\"user-list\",\"x\":1}\n",
        &long,
    ];
    for bytes in nonsense {
        let mut stream = UnixStream::connect(&path).await.unwrap();
        stream.write_all(bytes).await.ok();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.ok();
        if bytes.len() < 1_000 {
            let answer: Answer = serde_json::from_slice(&answer).unwrap();
            assert!(
                matches!(answer, Answer::Refusal(Refusal::BadRequest(_))),
                "{answer:?}"
            );
        }
    }
    drop(UnixStream::connect(&path).await.unwrap());
    assert!(ask(&path, &Request::Now).await.is_ok());
}

#[tokio::test]
async fn what_a_killed_process_left_is_taken_away_but_nothing_else_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("control.sock");
    drop(Control::bind(&path).unwrap());
    assert!(path.exists(), "left behind");
    assert!(Control::bind(&path).is_ok());
    let file = folder.path().join("precious");
    std::fs::write(&file, "x").unwrap();
    assert!(Control::bind(&file).is_err());
    assert_eq!(std::fs::read(&file).unwrap(), b"x");
}

#[test]
fn every_refusal_survives_the_socket() {
    for refusal in [
        Refusal::Changed,
        Refusal::Busy("full".to_owned()),
        Refusal::NotBlocked {
            peer: PEER.to_owned(),
        },
    ] {
        let json = serde_json::to_string(&Answer::Refusal(refusal.clone())).unwrap();
        assert_eq!(
            serde_json::from_str::<Answer>(&json).unwrap(),
            Answer::Refusal(refusal)
        );
    }
}
