# ---- посетители чата на сайте ----
visitor-here = Сейчас на сайте:
visitor-beside = На сайте, в другой вкладке:
visitor-gone = Сейчас не на сайте. Чат был открыт { $time }:
visitor-block = Заблокировать…
visitor-blocked = Посетитель заблокирован
visitor-is-blocked = заблокирован
visitor-unblock = Снова впустить
visitor-block-title = Заблокировать этого посетителя?
visitor-block-text = Писать он больше не сможет. Написанное останется.
visitor-block-address = И всех, кто приходит с его адреса, на семь дней
visitor-block-address-hint = Один адрес бывает у целого офиса или мобильной сети. Тех, кто вошёл на сайте под своим именем, это не коснётся.
visitor-block-yes = Заблокировать
transcript = Копия чата…
transcript-text = Сказанное в этом чате уйдёт посетителю по почте: без заметок и без того, что писали скрытые участники.
transcript-send = Отправить копию
transcript-sent = Копия отправляется
