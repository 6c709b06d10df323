## Заказы и контрагенты из 1С

commerce-sub = 1С, которая передаёт заказы и контрагентов в формате CommerceML.
commerce-new = Новый обмен
commerce-empty = Обмена с 1С пока нет
commerce-empty-text = Заказы становятся сделками, контрагенты — компаниями и контактами; что изменится в 1С, изменится и здесь.
commerce-order-title = Заказ {"{number}"}
commerce-seen = Последний вход
commerce-last-file = Последний файл
commerce-never = Никогда
commerce-off = Выключен
commerce-access = Доступ для 1С
commerce-access-hint = В 1С, в настройке обмена с сайтом, укажите этот адрес, пользователя и пароль и включите обмен заказами.
commerce-url = Адрес сайта
commerce-user = Пользователь
commerce-password-once = Скопируйте пароль сейчас: больше он не будет показан.
commerce-renew = Новый пароль
commerce-renew-text = Прежний пароль сразу перестанет действовать, а начатый обмен прервётся.
commerce-seen-at = 1С последний раз входила { $time }.
commerce-waits = 1С ещё не входила. Начните обмен в ней: он сразу появится здесь.
commerce-what = Что принимать
commerce-orders = Заказы становятся сделками
commerce-parties = Контрагенты становятся компаниями и контактами
commerce-parties-hint = Покупатель заказа принимается вместе с заказом, что бы здесь ни было выбрано.
commerce-responsible-hint = За сделки, а также за новые компании и контакты.
commerce-region = Страна телефонных номеров
commerce-region-hint = Две буквы, для номеров без кода страны: RU, KZ, BY.
commerce-language = Язык сообщений для 1С
commerce-deals = Сделки
commerce-title = Название сделки
commerce-title-hint = Вместо {"{number}"} и {"{date}"} встанут номер и дата заказа.
commerce-pipeline = Воронка
commerce-won = Заказ выигран
commerce-won-hint = Отменённый заказ — проигран.
commerce-won-paid_and_shipped = когда оплачен и отгружен
commerce-won-paid = когда оплачен
commerce-won-shipped = когда отгружен
commerce-won-never = когда так скажет его статус или оператор
commerce-statuses = Статусы
commerce-statuses-hint = Какой этап означает статус 1С. Сделка переходит, когда её статус в 1С меняется; перенесённая оператором остаётся на месте до тех пор.
commerce-status = Статус в 1С
commerce-stage = Этап
commerce-stage-choose = Выберите этап
commerce-status-add = Добавить статус
commerce-delete = Удалить обмен
commerce-delete-text = 1С больше не сможет передавать в «{ $name }». Сделки, компании и контакты останутся; какие это заказы, будет забыто.
commerce-files = Принятые файлы
commerce-files-empty = Файлов пока нет
commerce-files-empty-text = Здесь будет каждый файл из 1С и что с ним стало.
commerce-file = Файл
commerce-outcome = Итог
commerce-state-receiving = Передаётся
commerce-state-waiting = Обрабатывается
commerce-state-unpacked = Распакован
commerce-state-done = Принят
commerce-state-failed = Не принят
commerce-counts = Новых: { $created }, изменено: { $updated }, без изменений: { $unchanged }, пропущено: { $skipped }
commerce-failed = { $count ->
    [one] { $count } не принят
    [few] { $count } не приняты
   *[many] { $count } не принято
}
commerce-faults = Не принято
commerce-fault-place = Место
commerce-fault-what = Номер или Ид в 1С
